// Command benchdiscovery measures how completely images are found, against the
// ways that are in use: `helm template` searched for "image:" with grep, and asked
// with yq for the values of all keys named image; and the rules of Zarf and of the
// plugin helm-images, as their public code has them.
//
//	benchdiscovery corpus FOLDER           recall and precision on charts whose images were written down by hand
//	benchdiscovery charts CHART…           every difference on other charts, folders or archives
//	benchdiscovery speed CHART…            time for four renderings of each of 50, against a loop of helm template
//
// It needs helm in PATH.
package main

import (
	"fmt"
	"os"
	"os/exec"

	"github.com/islandbundle/island/charts/sandbox"
)

func main() {
	sandbox.Main()
	commands := map[string]func([]string) error{"corpus": measure, "charts": compare, "speed": speed}
	if len(os.Args) < 3 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: benchdiscovery corpus FOLDER | charts CHART… | speed CHART…")
		os.Exit(2)
	}
	if _, err := exec.LookPath("helm"); err != nil {
		fmt.Fprintln(os.Stderr, "benchdiscovery: helm is not in PATH: there is nothing to compare with")
		os.Exit(1)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "benchdiscovery:", err)
		os.Exit(1)
	}
}
