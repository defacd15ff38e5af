/**
 * Fields: samples that are arrays over a grid, with steps back and ahead along time.
 *
 * <p>{@link dev.lockstep.data.field.FieldDataset} reads them from one file or several that {@link
 * dev.lockstep.data.field.JoinedFiles} joins; a {@link dev.lockstep.data.field.Source} is one
 * variable on the grid, a channel a source at one step.
 */
@NullMarked
package dev.lockstep.data.field;

import org.jspecify.annotations.NullMarked;
