package agentphone

import (
	"fmt"
	"iter"
	"runtime"
	"runtime/debug"
	"time"
)

// tokensGrace is how long Stream waits for its tokens to end after the turn has.
const tokensGrace = time.Second

// Stream says the tokens of a language model as they arrive, sentence by sentence. What remains after the last whole
// sentence becomes the last words of the answer, as with Say.
//
// A sentence is said as soon as it is whole: at once when white space follows its end mark, or a token that begins with
// a capital letter, a digit or an opening quote (the space that is missing is put in); when no token comes for 150 ms, as
// while the model waits for a tool; and at a line feed. When no token comes for 1 s, the words since the last sentence
// are said, except one that may be incomplete; after 3 s, that too. Text of more than 300 bytes without the end of a
// sentence is cut between words. Tokens without text make no difference.
//
// Not every full stop ends a sentence: those of "Dr. Who", "e.g.", "3.50", "example.com" and "1. Milk" do not. After
// "5 p.m.", "U.S." or "J.", after an ellipsis, and after a quote that is closed the next word decides, if it comes
// before such a pause. The abbreviations are English.
//
// Meanwhile tokens, or anything else, can call Interim, which first says what is held back, and Hangup, Transfer and
// Press. Say and another Stream return [ErrVoiceAnswered].
//
// If tokens yields an error, Stream returns it. The text before it is said if the callback then returns nil, or if
// a part of it was said already. If there was no text before it, Say can still be called.
//
// Stream calls tokens in a goroutine of its own and waits for it. A panic of tokens continues in Stream, as an error
// that has its value and its stack, and so does [runtime.Goexit]. When the caller hangs up or the time for the turn is
// over, yield returns false, and Stream an error. If tokens has not returned a second after that, because it does not
// heed the context of the callback, Stream returns without it, and its goroutine stays until it returns.
func (v *VoiceResponse) Stream(tokens iter.Seq2[string, error]) error {
	if tokens == nil {
		return &ValidationError{"tokens", "is nil"}
	}
	s, err := v.beginStream()
	if err != nil {
		return err
	}
	defer s.pause.Stop()
	ended := make(chan tokensEnd, 1)
	go runTokens(tokens, s.token, ended)
	end := s.await(ended)
	err = s.finish(end)
	switch {
	case end.panicked != nil:
		panic(end.panicked)
	case end.exited:
		runtime.Goexit()
	}
	return err
}

// tokensEnd is how tokens ended. The zero value is for those that returned, or that nobody waits for any more.
type tokensEnd struct {
	panicked *tokensPanic
	exited   bool // by runtime.Goexit
}

// runTokens calls tokens and sends how they ended. If nobody waits for that any more, a panic reaches nobody either: the
// answer that it was for has been given up.
func runTokens(tokens iter.Seq2[string, error], yield func(string, error) bool, ended chan<- tokensEnd) {
	returned := false
	defer func() {
		end := tokensEnd{exited: !returned}
		if p := recover(); p != nil {
			end = tokensEnd{panicked: &tokensPanic{p, debug.Stack()}}
		}
		ended <- end
	}()
	tokens(yield)
	returned = true
}

// await says what pauses make whole until tokens end, or the turn and the grace after it.
func (s *speech) await(ended <-chan tokensEnd) tokensEnd {
	turn := s.voice.ctx.Done()
	var late <-chan time.Time
	for {
		select {
		case end := <-ended:
			return end
		case <-s.pause.C:
			s.paused()
		case <-turn:
			turn, late = nil, time.After(tokensGrace)
		case <-late:
			return tokensEnd{}
		}
	}
}

// tokensPanic is the value of a panic in tokens where it continues in Stream, with the stack that would be lost there.
type tokensPanic struct {
	value any
	stack []byte
}

func (p *tokensPanic) Error() string {
	return fmt.Sprintf("agentphone: tokens panicked: %v\n\n%s", p.value, p.stack)
}

// Unwrap returns the value if it is an error.
func (p *tokensPanic) Unwrap() error {
	err, _ := p.value.(error)
	return err
}
