//go:build race

package contracttest

func init() { underRace = true }
