package agentphone

import (
	"fmt"
	"strings"
)

// The checks of request parameters. What the API might accept, they let through.

// firstOf returns the first error.
func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func required(field, value string) error {
	if strings.TrimSpace(value) == "" {
		return &ValidationError{field, "is required"}
	}
	return nil
}

// requiredE164 and optionalE164 are for numbers that must be in E.164 form.
func requiredE164(field, value string) error {
	return firstOf(required(field, value), optionalE164(field, value))
}

func optionalE164(field, value string) error {
	if value != "" && !isE164(value) {
		return &ValidationError{field, reasonE164}
	}
	return nil
}

// checkRecipient refuses only what is plainly a mistyped phone number: a message may also
// go to a short code, an email address or a group.
func checkRecipient(field, value string) error {
	looksDialled := value != "" && strings.Trim(value, "0123456789+-.() ") == ""
	shortCode := isDigits(value) && (len(value) == 5 || len(value) == 6)
	if looksDialled && !shortCode && !isE164(value) {
		return &ValidationError{field, reasonE164}
	}
	return nil
}

// inRange checks a list's limit and the like; 0 is the API's default, highest 0 is no bound.
func inRange(field string, n, highest int) error {
	switch {
	case n < 0:
		return &ValidationError{field, "is negative"}
	case highest > 0 && n > highest:
		return &ValidationError{field, fmt.Sprintf("is over %d", highest)}
	}
	return nil
}

func checkPage(limit, highest, offset int) error {
	return firstOf(inRange("limit", limit, highest), inRange("offset", offset, 0))
}
