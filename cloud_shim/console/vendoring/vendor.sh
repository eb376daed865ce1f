#!/bin/sh
# Fetches and bundles the console's third-party scripts into static/vendor/. Run by whoever changes a version in
# package.json (after `npm install --package-lock-only`); users and the tests never run it. Needs node and npm.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
vendor="$here/../static/vendor"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cp "$here/package.json" "$here/package-lock.json" "$here/codemirror.entry.js" "$work"
cd "$work"
npm ci --ignore-scripts --no-audit --no-fund

mkdir -p "$vendor"
bundle() { node_modules/.bin/esbuild "$1" --bundle --minify --format=esm --target=es2021 --legal-comments=none --outfile="$2"; }
bundle codemirror.entry.js "$vendor/codemirror.js"
bundle node_modules/uplot/dist/uPlot.esm.js "$vendor/uplot.js"
cp node_modules/uplot/dist/uPlot.min.css "$vendor/uplot.css"
cp node_modules/htmx.org/dist/htmx.min.js "$vendor/htmx.js"

cp node_modules/htmx.org/LICENSE "$vendor/htmx.LICENSE.txt"
cp node_modules/uplot/LICENSE "$vendor/uplot.LICENSE.txt"
: > "$vendor/codemirror.LICENSE.txt"
for package in $(cd node_modules && ls -d @codemirror/* @lezer/* @marijn/* crelt style-mod w3c-keyname); do
  version=$(node -p "require('./node_modules/$package/package.json').version")
  printf '== %s %s\n\n' "$package" "$version" >> "$vendor/codemirror.LICENSE.txt"
  cat "node_modules/$package/LICENSE" >> "$vendor/codemirror.LICENSE.txt"
  printf '\n' >> "$vendor/codemirror.LICENSE.txt"
done
