/** Files that are whole and on the disk, or not there; and their hashes. */
@NullMarked
package dev.lockstep.files;

import org.jspecify.annotations.NullMarked;
