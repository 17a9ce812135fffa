// ---- a player of one sound at a time, or of a part of it

class Player {
  /** `changed` is called when a sound begins and ends, and for each frame in between; `trouble` with a sentence. */
  constructor(audio, changed, trouble) {
    Object.assign(this, { audio, changed, trouble, end: Infinity });
    audio.addEventListener("playing", () => this.follow());
    audio.addEventListener("ended", () => this.stop());
    audio.addEventListener("timeupdate", () => audio.currentTime >= this.end && this.stop());
    audio.addEventListener("error", () => {
      if (!audio.getAttribute("src")) return;
      this.stop();
      trouble("The browser can't play this sound: its file was moved, its format is not supported, or no loudspeaker is connected.");
    });
  }

  get playing() {
    return !this.audio.paused;
  }

  /** Where in the sound the player is, s. */
  get position() {
    return this.audio.currentTime;
  }

  play(source, start = 0, end = Infinity) {
    this.stop();
    const { audio } = this;
    this.end = end;
    audio.src = source;
    audio.onloadedmetadata = () => {
      if (start > 0) audio.currentTime = start;
    };
    audio.play().catch((error) => {
      if (error.name === "NotAllowedError") this.trouble("Press the space bar or click Play: the browser asks for it.");
    });
  }

  stop() {
    this.audio.pause();
    this.audio.removeAttribute("src");
    this.changed();
  }

  follow() {
    // timeupdate comes four times a second, so a quarter of a second more would be heard. In a hidden page it is all there is.
    if (this.position >= this.end) return this.stop();
    this.changed();
    if (this.playing) requestAnimationFrame(() => this.follow());
  }
}
