if (data.blind) beginBlind(); else beginComparing();
