/** How far a localisation is to be trusted: chi-square, outliers, other places, the verdict. */
@NullMarked
package dev.lockstep.localize.fit;

import org.jspecify.annotations.NullMarked;
