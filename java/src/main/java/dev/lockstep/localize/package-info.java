/**
 * Localisation of sensor networks: networks and their files, the configuration, {@link
 * dev.lockstep.localize.Localizer}, and what it writes.
 */
@NullMarked
package dev.lockstep.localize;

import org.jspecify.annotations.NullMarked;
