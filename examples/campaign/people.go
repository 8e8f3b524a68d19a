package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/template"

	"github.com/agentphone/agentphone-go"
)

// readTexts reads a CSV file whose first line names the columns, and fills the template for each line after it. It
// returns a problem for each line without a text, which does not stop the others.
func readTexts(c config, people io.Reader) (texts []text, problems []string, err error) {
	message, err := template.New("-text").Option("missingkey=error").Parse(c.text)
	if err != nil {
		return nil, nil, err
	}
	in := csv.NewReader(people)
	in.TrimLeadingSpace = true
	header, err := in.Read()
	if err != nil {
		return nil, nil, fmt.Errorf("the first line of the people: %w", err)
	}
	for i := range header { // as spreadsheets write it
		header[i] = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(header[i], "\ufeff")))
	}
	if !slices.Contains(header, "number") {
		return nil, nil, errors.New("the people have no column number")
	}
	seen := map[string]int{}
	for {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			return texts, problems, nil
		}
		if err != nil {
			return nil, nil, fmt.Errorf("the people: %w", err)
		}
		line, _ := in.FieldPos(0)
		person := map[string]string{}
		for i, value := range record {
			person[header[i]] = strings.TrimSpace(value)
		}
		number, err := agentphone.NormalizeE164(person["number"], c.country)
		if err != nil {
			problems = append(problems, fmt.Sprintf("line %d: %v", line, err))
			continue
		}
		if first := seen[number.String()]; first > 0 {
			problems = append(problems, fmt.Sprintf("line %d: the number is that of line %d", line, first))
			continue
		}
		seen[number.String()] = line
		var body strings.Builder
		if err := message.Execute(&body, person); err != nil {
			return nil, nil, err // the template is wrong, for this line and all others
		}
		texts = append(texts, text{Campaign: c.name, To: number.String(), AgentID: c.agentID, Body: body.String()})
	}
}
