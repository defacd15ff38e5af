package dev.lockstep.checkpoint;

import java.io.IOException;

/** A file breaks the safetensors format. The message is a clause whose subject is the file. */
final class SafetensorsException extends IOException {
  private static final long serialVersionUID = 1;

  SafetensorsException(String message) {
    super(message);
  }

  SafetensorsException(String message, Throwable cause) {
    super(message, cause);
  }
}
