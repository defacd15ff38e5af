package dev.lockstep.learn;

/** A rank asked to stop, and all did, after the checkpoint of the step that ended last. */
public final class FitStoppedException extends LearningException {
  private static final long serialVersionUID = 1L;

  private final int step;

  FitStoppedException(int step) {
    super("The fit was stopped after step " + step + ", as a rank asked for.");
    this.step = step;
  }

  /** Steps that are done and in the checkpoint. */
  public int step() {
    return step;
  }
}
