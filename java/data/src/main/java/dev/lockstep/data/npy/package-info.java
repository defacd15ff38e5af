/** NumPy arrays: single ones (NPY) and zip archives of them (NPZ). */
@NullMarked
package dev.lockstep.data.npy;

import org.jspecify.annotations.NullMarked;
