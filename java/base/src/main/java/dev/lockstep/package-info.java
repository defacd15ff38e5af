/** Distributed training and decentralised localisation for the JVM, on native C++ kernels. */
@NullMarked
package dev.lockstep;

import org.jspecify.annotations.NullMarked;
