/** Host applications as a user would write them; the build compiles them and the tests run them. */
package dev.lockstep.examples;
