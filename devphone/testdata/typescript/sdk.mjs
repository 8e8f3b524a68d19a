// Uses the official SDK as a program would, and prints what it got as a line of JSON.

import { AgentPhoneClient, AgentPhoneError } from "agentphone";

const client = new AgentPhoneClient({ token: process.env.AGENTPHONE_API_KEY, baseUrl: process.env.AGENTPHONE_BASE_URL });
const person = process.argv[2];

const agents = await client.agents.listAgents();
const agent = await client.agents.createAgent({ name: "Ada's agent", voiceMode: "webhook" });
const numbers = await client.numbers.listNumbers();
const number = await client.numbers.createNumber({ country: "US", agentId: agent.id });
const sent = await client.messages.sendMessage({ agent_id: agent.id, to_number: person, body: "Your table is booked. ✓" });
const messages = await client.numbers.getMessages({ number_id: number.id });
const conversations = await client.agents.listAgentConversations({ agent_id: agent.id });
const call = await client.calls.createOutboundCall({ agentId: agent.id, toNumber: person });
const found = await client.calls.getCall({ call_id: call.id });
const ended = await client.calls.endCall({ call_id: call.id });

let refused = null;
try {
  await client.calls.getCall({ call_id: "call_none" });
} catch (error) {
  refused = { isError: error instanceof AgentPhoneError, statusCode: error.statusCode };
}

console.log(JSON.stringify({ agents, agent, numbers, number, sent, messages, conversations, call, found, ended, refused }));
