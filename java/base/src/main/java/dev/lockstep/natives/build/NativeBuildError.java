package dev.lockstep.natives.build;

/**
 * Thrown when classes and native libraries are not of the same build, or the libraries are missing.
 * An error, as the JVM's own for libraries that do not load, because it leaves the initialisation
 * of a class.
 */
public final class NativeBuildError extends UnsatisfiedLinkError {
  private static final long serialVersionUID = 1L;

  NativeBuildError(String message) {
    super(message);
  }
}
