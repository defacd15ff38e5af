/**
 * Sensor networks: their ranges, anchors, noise and coordinates, how they are generated, and what
 * can be told of one before it is located.
 */
@NullMarked
package dev.lockstep.localize.network;

import org.jspecify.annotations.NullMarked;
