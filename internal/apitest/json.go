package apitest

// EachText visits the strings in a decoded JSON value that are not the names of fields.
func EachText(v any, visit func(string)) {
	switch v := v.(type) {
	case string:
		visit(v)
	case []any:
		for _, item := range v {
			EachText(item, visit)
		}
	case map[string]any:
		for _, item := range v {
			EachText(item, visit)
		}
	}
}
