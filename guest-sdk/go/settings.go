package reprieve

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Configure reads settings, a JSON object, into a policy: a pointer to a struct
// whose exported fields are the settings, under the names of their `json` tags,
// and whose values so far are the defaults. Any other policy has no settings.
//
// No number may be less than a field's `min` tag says, or 0 where there is none.
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
	known := settingsOf(policy)
	for name, text := range given {
		index := slices.IndexFunc(known, func(one setting) bool { return one.name == name })
		if index < 0 {
			return unknown(name, known)
		}
		if err := known[index].set(text); err != nil {
			return fmt.Errorf("`%s`: %w", name, err)
		}
	}
	if checked, can := policy.(interface{ Check() error }); can {
		return checked.Check()
	}
	return nil
}

// setting is a field of a policy's struct.
type setting struct {
	name  string
	value reflect.Value
	// about is what it is for, in one line.
	about string
	// least is what a number may be.
	least float64
}

// settingsOf are a policy's settings, in order.
func settingsOf(policy any) []setting {
	value := reflect.ValueOf(policy)
	if value.Kind() != reflect.Pointer || value.Elem().Kind() != reflect.Struct {
		return nil
	}
	var settings []setting
	value = value.Elem()
	for index := range value.NumField() {
		field := value.Type().Field(index)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" {
			name = field.Name
		}
		least, err := strconv.ParseFloat(cmp.Or(field.Tag.Get("min"), "0"), 64)
		if err != nil {
			panic(fmt.Sprintf("the tag `min` of the setting `%s` is no number", name))
		}
		if field.IsExported() && name != "-" {
			settings = append(settings, setting{name, value.Field(index), field.Tag.Get("about"), least})
		}
	}
	return settings
}

func (s setting) set(text json.RawMessage) error {
	wrong := fmt.Errorf("`%s`, expected %s", text, s.expected(s.value.Type()))
	null := string(text) == "null"
	if null && !slices.Contains([]reflect.Kind{reflect.Pointer, reflect.Interface}, s.value.Kind()) {
		return wrong
	}
	// A list in the settings replaces the default, and shares no memory with it.
	fresh := reflect.New(s.value.Type())
	err := json.Unmarshal(text, fresh.Interface())
	var mistyped *json.UnmarshalTypeError
	if errors.As(err, &mistyped) || (err == nil && !s.fits(fresh.Elem())) {
		return wrong
	}
	if err == nil {
		s.value.Set(fresh.Elem())
	}
	return err
}

// fits says whether no number in a value is less than it may be.
func (s setting) fits(value reflect.Value) bool {
	switch {
	case value.Kind() == reflect.Pointer:
		return value.IsNil() || s.fits(value.Elem())
	case value.Kind() == reflect.Slice:
		for index := range value.Len() {
			if !s.fits(value.Index(index)) {
				return false
			}
		}
		return true
	case value.CanInt():
		return float64(value.Int()) >= s.least
	case value.CanUint():
		return float64(value.Uint()) >= s.least
	case value.CanFloat():
		return value.Float() >= s.least
	default:
		return true
	}
}

// expected is what a value of this type is, for those who mistype one.
func (s setting) expected(of reflect.Type) string {
	switch kind := of.Kind(); kind {
	case reflect.Pointer:
		return s.expected(of.Elem()) + ", or null"
	case reflect.Slice:
		return "a list, each " + s.expected(of.Elem())
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return fmt.Sprintf("a whole number from %v to %d", s.least, uint64(1)<<of.Bits()-1)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint64:
		return fmt.Sprintf("a whole number, %v or more", s.least)
	case reflect.Float32, reflect.Float64:
		return fmt.Sprintf("a number, %v or more", s.least)
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a text"
	default:
		return of.String()
	}
}

func unknown(name string, known []setting) error {
	if len(known) == 0 {
		return fmt.Errorf("unknown setting `%s`, there are none", name)
	}
	var names []string
	for _, one := range known {
		names = append(names, one.name)
	}
	return fmt.Errorf("unknown setting `%s`, expected one of `%s`", name, strings.Join(names, "`, `"))
}
