// Command openai-go makes one call with openai-go.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/openai/openai-go/v3"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	client := openai.NewClient()
	model, err := client.Models.Get(ctx, "model")
	fmt.Println(model, err)
}
