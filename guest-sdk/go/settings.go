package reprieve

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Configure reads settings, a JSON object, into a policy: a pointer to a struct
// whose exported fields are the settings, under the names of their `json` tags,
// and whose values so far are the defaults. Any other policy has no settings.
//
// Where the policy has a method Check() error, that has the last word. The text
// of an error is shown to the person who wrote the settings.
func Configure(policy any, settings string) error {
	var given map[string]json.RawMessage
	if err := json.Unmarshal([]byte(settings), &given); err != nil {
		return fmt.Errorf("the settings are no JSON object: %w", err)
	}
	if given == nil {
		return errors.New("the settings are no JSON object: they are null")
	}
	known, names := fields(policy)
	for name, text := range given {
		field, is := known[name]
		if !is {
			return unknown(name, names)
		}
		if err := set(field, text); err != nil {
			return fmt.Errorf("`%s`: %w", name, err)
		}
	}
	if checked, can := policy.(interface{ Check() error }); can {
		return checked.Check()
	}
	return nil
}

// fields are a policy's settings by name, and the names in order.
func fields(policy any) (known map[string]reflect.Value, names []string) {
	known = map[string]reflect.Value{}
	value := reflect.ValueOf(policy)
	if value.Kind() != reflect.Pointer || value.Elem().Kind() != reflect.Struct {
		return known, nil
	}
	value = value.Elem()
	for index := range value.NumField() {
		field := value.Type().Field(index)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" {
			name = field.Name
		}
		if field.IsExported() && name != "-" {
			known[name] = value.Field(index)
			names = append(names, name)
		}
	}
	return known, names
}

func set(field reflect.Value, text json.RawMessage) error {
	null := string(text) == "null"
	if null && !slices.Contains([]reflect.Kind{reflect.Pointer, reflect.Interface}, field.Kind()) {
		return fmt.Errorf("expected %s, was given null", field.Type())
	}
	// A list in the settings replaces the default, and shares no memory with it.
	fresh := reflect.New(field.Type())
	err := json.Unmarshal(text, fresh.Interface())
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Errorf("expected %s, was given %s", wrong.Type, wrong.Value)
	}
	if err == nil {
		field.Set(fresh.Elem())
	}
	return err
}

func unknown(name string, names []string) error {
	if len(names) == 0 {
		return fmt.Errorf("unknown setting `%s`, there are none", name)
	}
	return fmt.Errorf("unknown setting `%s`, expected one of `%s`", name, strings.Join(names, "`, `"))
}
