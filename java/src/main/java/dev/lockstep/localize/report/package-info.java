/** What a localisation writes: result.json, GeoJSON, pictures, and the progress on the console. */
@NullMarked
package dev.lockstep.localize.report;

import org.jspecify.annotations.NullMarked;
