/** The backend {@code gloo}: the Gloo that comes with the JavaCPP presets' libtorch. */
@NullMarked
package dev.lockstep.gloo;

import org.jspecify.annotations.NullMarked;
