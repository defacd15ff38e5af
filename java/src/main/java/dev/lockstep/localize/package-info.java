/**
 * Localisation of sensor networks: {@link dev.lockstep.localize.Localizer}, its configuration and
 * what it comes to.
 */
@NullMarked
package dev.lockstep.localize;

import org.jspecify.annotations.NullMarked;
