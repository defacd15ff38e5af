package dev.lockstep.cli;

/**
 * What the command line's exit codes mean. A rank that a signal ended is reported as 128 + signal,
 * as shells do.
 */
public final class ExitCode {
  public static final int OK = 0;

  /** A failure that Lockstep did not foresee; {@code --verbose} shows where. */
  public static final int INTERNAL = 1;

  /** The command line is wrong. */
  public static final int USAGE = 2;

  /** The configuration is wrong. */
  public static final int CONFIGURATION = 3;

  /** A data, network, model, checkpoint or run file is missing, damaged or does not fit. */
  public static final int DATA = 4;

  /** The group could not be formed, or a rank died, fell silent or disagreed. */
  public static final int COMMUNICATION = 5;

  /** Training ended with numbers that are not finite, or another failure of the computation. */
  public static final int TRAINING = 6;

  /** {@code doctor}, {@code check} or {@code bench} found something that does not work. */
  public static final int UNHEALTHY = 7;

  /**
   * SIGTERM came, a checkpoint was written, and {@code --resume} continues from it. Not 143 (128 +
   * SIGTERM), which any process without a handler returns: a job script can requeue on 85 alone.
   */
  public static final int CHECKPOINTED = 85;

  /** Ctrl-C. */
  public static final int INTERRUPTED = 130;

  /** SIGTERM without a checkpoint. */
  public static final int TERMINATED = 143;

  private ExitCode() {}
}
