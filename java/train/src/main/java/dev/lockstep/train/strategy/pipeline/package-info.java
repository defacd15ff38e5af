/**
 * Pipelines: a model in parts on several ranks, through which the pieces of a batch pass one after
 * another. {@link dev.lockstep.train.strategy.pipeline.PipelineOrder} says who computes what when,
 * {@link dev.lockstep.train.strategy.pipeline.ModelCut} where the model is cut, and {@link
 * dev.lockstep.train.strategy.pipeline.PipelineCompute} does it.
 */
@NullMarked
package dev.lockstep.train.strategy.pipeline;

import org.jspecify.annotations.NullMarked;
