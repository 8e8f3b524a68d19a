// Command http makes one call with net/http and encoding/json.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	number, err := get(ctx, os.Getenv("AGENTPHONE_API_KEY"), "num_1")
	fmt.Println(number, err)
}

type phoneNumber struct {
	ID          string    `json:"id"`
	PhoneNumber string    `json:"phoneNumber"`
	CreatedAt   time.Time `json:"createdAt"`
}

func get(ctx context.Context, key, id string) (*phoneNumber, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.agentphone.to/v1/numbers/"+id, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		return nil, fmt.Errorf("%s: %s", resp.Status, body)
	}
	var out phoneNumber
	return &out, json.Unmarshal(body, &out)
}
