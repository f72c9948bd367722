"use strict";
(() => {
  const at = (id) => document.getElementById(id);

  // A page out of the back-forward cache shows what may be over. This one may
  // be the answer to a form, which must not be sent again.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.replace("/");
  });

  // Times in this device's time zone and language; without a script they are in UTC.
  const clock = at("clock"), today = new Date(Number(clock.dataset.now)).toDateString();
  for (const time of document.querySelectorAll("time[data-at]")) {
    const date = new Date(Number(time.dataset.at));
    time.title = time.textContent;
    time.textContent = date.toDateString() === today ? date.toLocaleTimeString() : date.toLocaleString();
  }

  if (navigator.clipboard) {
    for (const button of document.querySelectorAll("button[data-copy]")) {
      const said = button.parentElement.querySelector("[role=status]");
      button.hidden = false;
      button.addEventListener("click", async () => {
        said.textContent = "";
        try {
          await navigator.clipboard.writeText(at(button.dataset.copy).textContent);
          said.textContent = "Copied";
        } catch {
          said.textContent = "Your browser did not allow that";
        }
      });
    }
  }

  const idleEnd = at("idle-end"), absoluteEnd = at("absolute-end");
  if (!idleEnd || !absoluteEnd) return;

  // The server's time is what it was when its answer arrived, plus what has
  // passed since. What this device takes for the time of day plays no part. Of
  // two ways to tell what has passed, one may stop while the device sleeps, and
  // the other be set back: the longer counts.
  const [navigation] = performance.getEntriesByType("navigation");
  const waited = navigation ? performance.now() - navigation.responseStart : 0;
  const began = performance.now() - waited, beganDate = Date.now() - waited;
  const serverNow = () => Number(clock.dataset.now) + Math.max(performance.now() - began, Date.now() - beganDate);

  let idle = Number(idleEnd.dataset.at);
  const absolute = Number(absoluteEnd.dataset.at);
  let full = 1, timer, over, elsewhere = false;

  const words = (ms) => {
    const s = Math.max(0, Math.ceil(ms / 1000)), two = (n) => String(n).padStart(2, "0");
    if (s < 60) return s + " s";
    if (s < 3600) return Math.floor(s / 60) + ":" + two(s % 60) + " min";
    return Math.floor(s / 3600) + ":" + two(Math.floor(s / 60) % 60) + ":" + two(s % 60) + " h";
  };

  const until = (ms) => ms > 0 ? "in " + words(ms) : "over";

  // say never asks the server: that would keep an unattended session alive.
  const say = (text) => {
    const status = at("clock-status");
    status.replaceChildren();
    if (!text) return;
    const link = document.createElement("a");
    link.href = "/";
    link.textContent = "Look again";
    status.append(text + " ", link);
  };

  const tick = () => {
    clearTimeout(timer);
    const now = serverNow(), left = Math.min(idle, absolute) - now;
    full = Math.max(full, left);
    at("ring-text").textContent = left < 3600000 ? words(left).replace(" min", "") : Math.floor(left / 3600000) + " h"; // little room
    at("idle-left").textContent = until(left);
    at("absolute-left").textContent = until(absolute - now);
    at("ring-left").setAttribute("stroke-dashoffset", String(100 - 100 * Math.max(0, left / full)));
    at("ring").hidden = false;
    clock.classList.toggle("soon", left <= 10000);
    if (over !== left <= 0 && !elsewhere) {
      over = left <= 0;
      say(over ? "This session has ended, unless another tab or a program has used it since." : "");
    }
    if (left > 0) timer = setTimeout(tick, left % 1000 + 5);
  };

  // Tabs of one session tell each other of its newest deadline. One that shows
  // another session took the cookie's place.
  const session = clock.dataset.session;
  if (session && window.BroadcastChannel) {
    const channel = new BroadcastChannel("coatcheck");
    channel.addEventListener("message", ({ data }) => {
      if (typeof data?.session !== "string" || !Number.isFinite(data.idle) || data.idle > absolute) return; // not of this page
      if (data.session !== session) {
        elsewhere = true;
        say("This browser has another session by now.");
      } else if (data.idle > idle) {
        idle = data.idle;
        idleEnd.dataset.at = String(idle);
        idleEnd.dateTime = new Date(idle).toISOString();
        idleEnd.textContent = new Date(idle).toLocaleTimeString();
        tick();
      }
    });
    channel.postMessage({ session, idle });
  }
  addEventListener("visibilitychange", tick); // timers may have stood still
  tick();
})();
