#!/usr/bin/env bash
# Runs the JMH suites: benchmarks/jmh.sh [JMH options, a name pattern]; with --shares first, the kernels and all-reduces
# as shares of this machine's copy bandwidth. Build first: mvn -q package -DskipTests
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [ ! -d "$root/benchmarks/target/lib" ]; then
  echo "jmh.sh: the benchmarks are not built; run: mvn -q package -DskipTests" >&2
  exit 1
fi
native_access=()
if java --help-extra 2>/dev/null | grep -q enable-native-access ||
  java --help 2>/dev/null | grep -q enable-native-access; then
  native_access=(--enable-native-access=ALL-UNNAMED)
fi
main=org.openjdk.jmh.Main
if [ "${1:-}" = --shares ]; then
  main=dev.lockstep.benchmarks.BandwidthShares
  shift
fi
classes=("$root"/java/*/target/classes)
exec java "${native_access[@]}" \
  -cp "$root/benchmarks/target/classes:$root/benchmarks/target/lib/*:$(IFS=: && echo "${classes[*]}"):$root/java/cli/target/lib/*" \
  "$main" "$@"
