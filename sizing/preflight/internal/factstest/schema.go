package factstest

// What the code of a message looks like.
const codePattern = `^[a-z0-9]+([.-][A-Za-z0-9]+)*$`

// Code is the schema of a message's code.
func Code() map[string]any { return map[string]any{"type": "string", "pattern": codePattern} }

// Args is the schema of what fills a message's gaps; texts among it are the
// definition Text.
func Args() map[string]any {
	text := map[string]any{"$ref": "#/$defs/Text"}
	return map[string]any{"type": "object", "additionalProperties": map[string]any{"anyOf": []map[string]any{
		{"type": []string{"number", "string", "boolean"}}, text, {"type": "array", "items": text},
	}}}
}

// Text is the schema of a message: its code, what fills its gaps, and its words in
// English, or words alone.
func Text() map[string]any {
	return map[string]any{"type": "object", "additionalProperties": false, "properties": map[string]any{
		"code": Code(), "args": Args(), "text": map[string]any{"type": "string"},
	}}
}
