// Command agentphone makes one call with this SDK.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/agentphone/agentphone-go"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	client, err := agentphone.NewClientFromEnv()
	if err != nil {
		fmt.Println(err)
		return
	}
	number, err := client.Numbers.Get(ctx, "num_1")
	fmt.Println(number, err)
}
