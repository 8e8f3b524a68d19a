package agentphone

import (
	"strings"
	"time"
	"unicode/utf8"
)

// speech is what a Stream says. Tokens come in one goroutine, pauses are noticed in that of Stream, and anybody may put in
// an Interim: voice.mu guards all of it.
type speech struct {
	voice  *VoiceResponse
	held   string // came, and is not said yet
	quoted bool   // what was said ends within quotes
	words  bool   // tokens are longer than a character: where they begin means something
	spoke  bool   // part of the tokens was said
	err    error  // from tokens, or from saying them: no more is said

	pause  *time.Timer // fires in the next of pauses
	silent time.Time   // since when no token came
	next   int         // index of the next of pauses
}

// pauses are how long no token comes before some of what is held back is said, and what that is.
var pauses = []struct {
	after time.Duration
	cut   func(text string) (say, rest string)
}{
	{150 * time.Millisecond, func(text string) (say, rest string) {
		if isWhole(text) {
			return text, ""
		}
		return "", text
	}},
	{time.Second, func(text string) (say, rest string) {
		if say, rest = cutWords(text); !hasWords(say) {
			return "", text
		}
		return say, rest
	}},
	{3 * time.Second, cutRunes},
}

// cutRunes cuts text before an incomplete character.
func cutRunes(text string) (whole, rest string) {
	n := wholeRunes(text)
	return text[:n], text[n:]
}

func (v *VoiceResponse) beginStream() (*speech, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.canSpeak(); err != nil {
		return nil, err
	}
	v.said = true
	v.speech = &speech{voice: v, pause: time.NewTimer(pauses[0].after), silent: time.Now()}
	return v.speech, nil
}

// token takes the next token or the error after the last one, and reports whether more may come.
func (s *speech) token(token string, err error) bool {
	s.voice.mu.Lock()
	defer s.voice.mu.Unlock()
	switch {
	case s.voice.speech != s || s.err != nil:
		return false
	case err != nil:
		s.err = err
		return false
	case s.voice.ctx.Err() != nil:
		s.held, s.err = "", s.voice.ended()
		return false
	case token == "": // as models send while they write the arguments of a tool call
		return true
	}
	s.hear(token)
	for {
		sentence, rest, ok := cutSentence(s.held)
		if !ok {
			break
		}
		if s.err = s.say(sentence, rest); s.err != nil {
			return false
		}
	}
	s.silent, s.next = time.Now(), 0
	s.pause.Reset(pauses[0].after)
	return true
}

// hear adds a token to what is held back, after a space if one is missing.
func (s *speech) hear(token string) {
	s.words = s.words || utf8.RuneCountInString(token) > 1
	if s.words && beginsSentence(s.held, token, endsInQuotes(s.held, s.quoted)) {
		s.held += " "
	}
	s.held += token
}

// endsInQuotes reports whether text ends within quotes. quoted reports whether it begins there.
func endsInQuotes(text string, quoted bool) bool {
	if line := strings.LastIndexByte(text, '\n'); line >= 0 {
		text, quoted = text[line:], false
	}
	return quoted != (strings.Count(text, `"`)%2 == 1)
}

// paused says what has become whole in a pause.
func (s *speech) paused() {
	s.voice.mu.Lock()
	defer s.voice.mu.Unlock()
	if s.err != nil || s.next == len(pauses) || time.Since(s.silent) < pauses[s.next].after { // a token has come
		return
	}
	if s.err = s.say(pauses[s.next].cut(s.held)); s.err != nil {
		return
	}
	if s.next++; s.next < len(pauses) {
		s.pause.Reset(time.Until(s.silent.Add(pauses[s.next].after)))
	}
}

// interim says what is held back, and then text. The caller holds voice.mu.
func (s *speech) interim(text string) error {
	if text != "" {
		if err := s.say(cutRunes(s.held)); err != nil {
			return err
		}
	}
	return s.voice.writeInterim(text)
}

// say says a part of what is held back, and leaves the rest. The caller holds voice.mu.
func (s *speech) say(text, rest string) error {
	s.quoted, s.held = endsInQuotes(text, s.quoted), rest
	text = strings.TrimSpace(text)
	if text == "" {
		return nil
	}
	s.spoke = true
	err := s.voice.writeInterim(text)
	if err != nil {
		s.held = ""
	}
	return err
}

// finish ends the speech, with what is held back as the last words.
func (s *speech) finish(end tokensEnd) error {
	v := s.voice
	v.mu.Lock()
	defer v.mu.Unlock()
	v.speech = nil
	if v.closed { // the callback has returned meanwhile
		return ErrVoiceAnswered
	}
	v.last.Text = strings.TrimSpace(s.held)
	if s.err != nil || end != (tokensEnd{}) {
		v.said = v.last.Text != "" || s.spoke
		return s.err
	}
	return v.ctx.Err()
}
