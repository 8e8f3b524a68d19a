// Command twilio-go makes one call with twilio-go.
package main

import (
	"fmt"

	"github.com/twilio/twilio-go"
	api "github.com/twilio/twilio-go/rest/api/v2010"
)

func main() {
	client := twilio.NewRestClient()
	call, err := client.Api.FetchCall("CA1", &api.FetchCallParams{})
	fmt.Println(call, err)
}
