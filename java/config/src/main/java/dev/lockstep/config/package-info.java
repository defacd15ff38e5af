/**
 * The run's configuration: YAML and {@code --set} overrides into validated records, before any rank
 * connects.
 */
@NullMarked
package dev.lockstep.config;

import org.jspecify.annotations.NullMarked;
