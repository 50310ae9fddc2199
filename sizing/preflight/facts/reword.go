package facts

import (
	"reflect"

	"github.com/islandbundle/island/internal/words/message"
)

// Reword puts f(text) in the place of every text of a survey.
func (s *Survey) Reword(f func(message.Text) message.Text) { reword(reflect.ValueOf(s).Elem(), f) }

// Reword puts f(text) in the place of every text of a host's facts.
func (d *Facts) Reword(f func(message.Text) message.Text) { reword(reflect.ValueOf(d).Elem(), f) }

func reword(v reflect.Value, f func(message.Text) message.Text) {
	if text, ok := v.Interface().(message.Text); ok {
		v.Set(reflect.ValueOf(f(text)))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			reword(v.Elem(), f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				reword(v.Field(i), f)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			reword(v.Index(i), f)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			member := reflect.New(v.Type().Elem()).Elem() // a map's own members cannot be set
			member.Set(v.MapIndex(key))
			reword(member, f)
			v.SetMapIndex(key, member)
		}
	}
}
