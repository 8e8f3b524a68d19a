package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strconv"
)

// account is what a program needs to know to use the API: an [agentphonetest.Server], or what serves one.
type account interface {
	APIKey() string
	AgentID() string
	NumberID() string
}

// printAccount prints a line of JSON, for the programs that start this one.
func printAccount(w io.Writer, apiURL string, a account) error {
	line, err := json.Marshal(struct {
		URL      string `json:"url"`
		APIKey   string `json:"apiKey"`
		AgentID  string `json:"agentId"`
		NumberID string `json:"numberId"`
	}{apiURL, a.APIKey(), a.AgentID(), a.NumberID()})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", line)
	return err
}

// reachable returns an address that a client can connect to: instead of all interfaces the loopback interface.
func reachable(addr net.Addr) string {
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port))
	}
	return addr.String()
}
