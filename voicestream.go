package agentphone

import (
	"iter"
	"strings"
)

// Stream says the tokens of a language model as they arrive, sentence by sentence. What remains after the last whole
// sentence becomes the last words of the answer, as with Say.
//
// A sentence is whole when the white space after its end mark, or a line feed, has arrived. Without one, text of more
// than 300 bytes is cut between words.
//
// If tokens yields an error, Stream returns it. The text before it is said if the callback then returns nil, or if
// a sentence of it was said already. If there was no text before it, Say can still be called.
func (v *VoiceResponse) Stream(tokens iter.Seq2[string, error]) error {
	if tokens == nil {
		return &ValidationError{"tokens", "is nil"}
	}
	if err := v.beginStream(); err != nil {
		return err
	}
	rest, err := v.speak(tokens) // without the lock: tokens may take long, call Hangup, or panic
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed { // the callback has returned meanwhile
		return ErrVoiceAnswered
	}
	v.last.Text = strings.TrimSpace(rest)
	if err != nil {
		v.said = v.last.Text != "" || v.out.streamed
		return err
	}
	return v.ctx.Err()
}

func (v *VoiceResponse) beginStream() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.canSpeak(); err != nil {
		return err
	}
	v.said = true
	return nil
}

// speak says the whole sentences of tokens and returns the text after them.
func (v *VoiceResponse) speak(tokens iter.Seq2[string, error]) (rest string, err error) {
	for token, err := range tokens {
		if err != nil {
			return rest, err
		}
		if err := v.ctx.Err(); err != nil {
			return "", err
		}
		rest += token
		for {
			sentence, after, ok := cutSentence(rest)
			if !ok {
				break
			}
			rest = after
			if err := v.speakSentence(sentence); err != nil {
				return "", err
			}
		}
	}
	return rest, nil
}

func (v *VoiceResponse) speakSentence(sentence string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.writeInterim(sentence)
}
