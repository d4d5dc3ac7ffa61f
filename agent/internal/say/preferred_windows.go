package say

import "golang.org/x/sys/windows"

// preferred are the languages that the user has chosen for what Windows shows him.
func preferred() []string {
	names, err := windows.GetUserPreferredUILanguages(windows.MUI_LANGUAGE_NAME)
	if err != nil {
		return nil
	}
	return names
}
