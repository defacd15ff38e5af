package dev.lockstep.learn;

/** What trees predict, and which loss boosting lowers; forests lower the squared error. */
public enum Objective {
  /** A number, by its squared error. */
  REGRESSION,
  /** The probability of class 1 of 0 and 1, by the logarithmic loss. */
  BINARY,
  /** The probabilities of classes 0, 1, …, by the logarithmic loss of their softmax. */
  MULTICLASS
}
