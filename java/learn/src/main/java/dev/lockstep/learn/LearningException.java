package dev.lockstep.learn;

import dev.lockstep.LockstepException;

/** Data, settings or a model file that a learner cannot use; the message says what to do. */
public class LearningException extends LockstepException {
  private static final long serialVersionUID = 1L;

  /** With the sentence for the user. */
  public LearningException(String message) {
    super(message);
  }

  /** With the sentence for the user and what was behind it. */
  public LearningException(String message, Throwable cause) {
    super(message, cause);
  }
}
