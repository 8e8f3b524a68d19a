package agentphone

import (
	"iter"
	"strings"
)

// Stream says the tokens of a language model as they come, a sentence at a time, and is the turn's last
// words.
//
// If the tokens end with an error it is returned, and what came before it is said, if the callback then returns
// nil or a sentence went out already. If nothing came before it, Say may say something else.
func (v *VoiceResponse) Stream(tokens iter.Seq2[string, error]) error {
	if tokens == nil {
		return &ValidationError{"tokens", "is nil"}
	}
	if err := v.beginStream(); err != nil {
		return err
	}
	unspoken, err := v.speak(tokens) // not locked: the tokens may take long, may call Hangup, and may panic
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed { // the callback did not wait for the tokens
		return ErrVoiceAnswered
	}
	v.last.Text = strings.TrimSpace(unspoken)
	if err != nil {
		v.said = v.last.Text != "" || v.streamed
		return err
	}
	return v.ctx.Err()
}

func (v *VoiceResponse) beginStream() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.open(); err != nil {
		return err
	}
	v.said = true
	return nil
}

// speak says what is whole of the tokens and returns what is left.
func (v *VoiceResponse) speak(tokens iter.Seq2[string, error]) (unspoken string, err error) {
	for token, err := range tokens {
		if err != nil {
			return unspoken, err
		}
		if err := v.ctx.Err(); err != nil {
			return "", err
		}
		unspoken += token
		for {
			sentence, rest, ok := cutSentence(unspoken)
			if !ok {
				break
			}
			unspoken = rest
			if err := v.sayInterim(sentence); err != nil {
				return "", err
			}
		}
	}
	return unspoken, nil
}

func (v *VoiceResponse) sayInterim(text string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.writeInterim(text)
}
