/** Networks in files: CSV, JSON, and matrices of weights. */
@NullMarked
package dev.lockstep.localize.files;

import org.jspecify.annotations.NullMarked;
