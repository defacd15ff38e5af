package dev.lockstep.config;

/**
 * One thing that is wrong with a configuration.
 *
 * @param origin where it was written: {@code file:line}, or {@code --set key=value}
 * @param message what is wrong and what to write instead, naming the key
 */
public record ConfigProblem(String origin, String message) {
  @Override
  public String toString() {
    return origin + ": " + message;
  }
}
