#!/bin/sh
# Prints the path of a Chromium or Chrome for the browser tests; installs the distribution's where that is possible.
find_one() {
    for name in chromium chromium-browser google-chrome google-chrome-stable chrome; do
        command -v "$name" && return 0
    done
    for path in "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" "/Applications/Chromium.app/Contents/MacOS/Chromium"; do
        [ -x "$path" ] && echo "$path" && return 0
    done
    return 1
}
find_one && exit 0
as_root=
[ "$(id -u)" = 0 ] || as_root="sudo -n"
if command -v apt-get >/dev/null; then
    { $as_root apt-get update && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y --no-install-recommends chromium; } >&2
elif command -v dnf >/dev/null; then
    $as_root dnf install -y chromium >&2
fi
find_one && exit 0
echo "The browser tests need Chromium or Chrome, and none was found. Install one (on Debian: apt-get install chromium), then run make test again." >&2
exit 1
