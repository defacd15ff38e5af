package dev.lockstep.train.strategy.server;

/** Tags of the messages between workers and servers; those of data are one for each flat buffer. */
final class Tags {
  static final int REQUEST = 21_000;
  static final int ANSWER = 21_001;
  static final int SIGN = 21_002;
  static final int GRADIENTS = 21_100;
  static final int VALUES = 21_200;

  private Tags() {}
}
