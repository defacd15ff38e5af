/** Tables as text: comma-separated values and their relatives. */
@NullMarked
package dev.lockstep.data.csv;

import org.jspecify.annotations.NullMarked;
