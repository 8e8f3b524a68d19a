package main

import (
	"context"
	"io"
)

func runTest(_ context.Context, _ []string, _, _ io.Writer) int { return exitUsage }
