package agentphonetest

import agentphone "github.com/agentphone/agentphone-go"

var voiceOperations = []*operation{
	get("/v1/agents/voices", (*Server).listVoices),
}

// The API has hundreds of voices. These are a few of each kind, with nulls where it has them.
func (s *Server) listVoices(*input) (any, error) {
	return object{"data": []object{
		voice(agentphone.DefaultVoice, "Skylar - Friendly Guide", "agentphone", "female", "American", ""),
		voice("11labs-Marissa", "Marissa", "elevenlabs", "female", "American", "https://voices.example.com/marissa.mp3"),
		voice("cartesia-Brooke", "Brooke", "cartesia", "female", "British", "https://voices.example.com/brooke.mp3"),
		voice("openai-Alloy", "Alloy", "openai", "", "", ""),
	}}, nil
}

func voice(id, name, provider, gender, accent, preview string) object {
	return object{
		"voice_id": id, "voice_name": name, "provider": provider,
		"gender": orNull(gender), "accent": orNull(accent), "preview_audio_url": orNull(preview),
	}
}
