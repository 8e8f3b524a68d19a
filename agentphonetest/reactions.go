package agentphonetest

import (
	"slices"

	agentphone "github.com/agentphone/agentphone-go"
)

var reactionOperations = []*operation{
	post("/v1/messages/{message_id}/reactions", (*Server).sendReaction, fields{
		text("reaction").required().like(reaction),
	}),
}

// reaction is the form of a tapback: one of six words, or an emoji.
func reaction(s string) string {
	words := []string{"love", "like", "dislike", "laugh", "emphasize", "question"}
	first := []rune(s + "a")[0]
	if first > 0x7f || slices.Contains(words, s) {
		return ""
	}
	return "reaction must be " + quoted(words) + ", or an emoji"
}

// sendReaction adds a reaction to a message. One sent twice is there twice, so that a test can see it.
func (s *Server) sendReaction(in *input) (any, error) {
	m, ok := in.account.messages.get(in.path("message_id"))
	switch {
	case !ok:
		return nil, notFound("Message")
	case m.channel != agentphone.ChannelIMessage:
		return nil, badRequest("Only an iMessage can be reacted to")
	}
	kind, id := in.body.text("reaction"), s.id("rct")
	m.reactions = append(m.reactions, object{
		"id": id, "reactionType": kind, "fromNumber": m.conversation.number.phone,
		"direction": agentphone.DirectionOutbound, "createdAt": stamp(now()),
	})
	return object{"id": id, "reaction_type": kind, "message_id": m.id, "channel": m.channel}, nil
}
