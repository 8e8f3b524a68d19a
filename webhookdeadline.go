package agentphone

import "time"

// lineDeadline: nobody waits for an interim line beyond the turn's time.
func (v *VoiceResponse) lineDeadline(line voiceLine) time.Time {
	by := time.Now().Add(answerTime)
	if over, ok := v.ctx.Deadline(); ok && line.Interim && over.Before(by) {
		return over
	}
	return by
}
