package dev.lockstep.train.strategy.pipeline;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Orders of forward and backward passes. P ranks, m pieces, rank i counted from 0. */
public enum PipelineSchedule {
  /**
   * All forward passes, then all backward passes (Huang et al. 2019, "GPipe"); m pieces are live.
   */
  @JsonProperty("gpipe")
  GPIPE,
  /**
   * One forward, one backward (Narayanan et al. 2019, "PipeDream"; flushed after each step): as
   * fast, with min(m, P − i) live pieces.
   */
  @JsonProperty("one_f_one_b")
  ONE_F_ONE_B,
  /**
   * Each rank has several parts of the model, {@code chunks} of them, P parts apart (Narayanan et
   * al. 2021, "Efficient large-scale language model training on GPU clusters"): less idle time,
   * more messages.
   */
  @JsonProperty("interleaved")
  INTERLEAVED
}
