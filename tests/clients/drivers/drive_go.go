// Debian golang-github-adtac-go-akismet-dev: the key travels in the host name, over TLS.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"reflect"

	"github.com/adtac/go-akismet/akismet"
)

type task struct {
	Do, Key, Blog string
	Comment       map[string]string
}

// fill writes the wire's field names into the struct, by the tags that the client itself gives them.
func fill(fields map[string]string) (*akismet.Comment, error) {
	var comment akismet.Comment
	value := reflect.ValueOf(&comment).Elem()
	places := map[string]int{}
	for i := 0; i < value.NumField(); i++ {
		places[value.Type().Field(i).Tag.Get("form")] = i
	}
	for name, text := range fields {
		place, known := places[name]
		if !known {
			return nil, fmt.Errorf("cannot express %s", name)
		}
		value.Field(place).SetString(text)
	}
	return &comment, nil
}

func carryOut(line []byte) (string, error) {
	var t task
	if err := json.Unmarshal(line, &t); err != nil {
		return "", err
	}
	comment, err := fill(t.Comment)
	if err != nil {
		return "", err
	}
	comment.Blog = t.Blog
	switch t.Do {
	case "check":
		spam, err := akismet.Check(comment, t.Key)
		if err != nil {
			return "", err
		}
		if spam {
			return "spam", nil
		}
		return "ham", nil
	// This client passes on no answer to a submission, only a failed connection.
	case "submit-spam":
		return "thanks", akismet.SubmitSpam(comment, t.Key)
	case "submit-ham":
		return "thanks", akismet.SubmitHam(comment, t.Key)
	}
	return "", fmt.Errorf("no such task: %s", t.Do)
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		answer := map[string]string{}
		said, err := carryOut(lines.Bytes())
		if err != nil {
			answer["said"], answer["why"] = "error", err.Error()
		} else {
			answer["said"] = said
		}
		encoded, _ := json.Marshal(answer)
		fmt.Println(string(encoded))
	}
}
